using System.Security.Cryptography;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Unsafe options prevent the start, and the error names the option.</summary>
public sealed class OptionsTests
{
    [Theory]
    [InlineData("c2hvcnQ=", "too short")]
    [InlineData("not base64!", "not base64")]
    [InlineData("", "too short")]
    public async Task A_weak_signing_key_is_refused_at_start(string key, string reason)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestHost.StartAsync(new HostSetup { Tokens = tokens => tokens.SigningKey = key })
        );
        Assert.Contains("AccessTokenOptions.SigningKey", fault.Message, StringComparison.Ordinal);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_weak_private_or_unreadable_issuer_key_is_refused_without_showing_it()
    {
        using var weak = RSA.Create(1024);
        using var strong = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        string[] keys =
        [
            weak.ExportSubjectPublicKeyInfoPem(),
            strong.ExportPkcs8PrivateKeyPem(),
            curve.ExportSubjectPublicKeyInfoPem(),
            """{"kty":"oct","k":"c2hvcnQ"}""",
            """{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""",
            "{",
            "hello",
            """{"keys":[]}""",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ];
        foreach (var key in keys)
        {
            var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
                TestHost.StartAsync(
                    new HostSetup
                    {
                        Tokens = tokens =>
                            tokens.TrustedIssuers.Add(
                                new TrustedIssuer
                                {
                                    Issuer = "i",
                                    Audience = "a",
                                    Keys = { key },
                                }
                            ),
                    }
                )
            );
            Assert.Contains("AccessTokenOptions.TrustedIssuers[0].Keys[0]", fault.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(key.Length > 5 ? key : "\0", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_or_empty_key_file_is_refused_at_start_by_name()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "hello");
        foreach (var name in new[] { file, file + ".missing" })
        {
            var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
                TestHost.StartAsync(
                    new HostSetup
                    {
                        Tokens = tokens =>
                            tokens.TrustedIssuers.Add(
                                new TrustedIssuer
                                {
                                    Issuer = "i",
                                    Audience = "a",
                                    KeyFiles = { name },
                                }
                            ),
                    }
                )
            );
            Assert.Contains($"AccessTokenOptions.TrustedIssuers[0].KeyFiles[0] ('{name}')", fault.Message, StringComparison.Ordinal);
        }
        File.Delete(file);
    }

    [Fact]
    public async Task Clock_skew_above_thirty_seconds_is_refused()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestHost.StartAsync(new HostSetup { Tokens = tokens => tokens.ClockSkew = TimeSpan.FromMinutes(5) })
        );
        Assert.Contains("ClockSkew", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_origin_with_credentials_is_refused()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add("*") })
        );
        Assert.Contains("AllowCredentials", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://app.example.com/")]
    [InlineData("https://app.example.com/path")]
    [InlineData("https://APP.example.com")]
    [InlineData("https://app.example.com:443")]
    [InlineData("https://*.example.com")]
    [InlineData("app.example.com")]
    [InlineData("null")]
    [InlineData("file:///x")]
    public async Task An_origin_that_no_browser_sends_is_refused(string origin)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            TestHost.StartAsync(new HostSetup { Origins = origins => origins.AllowedOrigins.Add(origin) })
        );
        Assert.Contains("OriginOptions.AllowedOrigins", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task First_start_creates_a_key_for_the_owner_only()
    {
        await using var host = await TestHost.StartAsync();
        Assert.True(File.Exists(host.KeyFile));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(host.KeyFile));
        var text = await File.ReadAllTextAsync(host.KeyFile);
        Assert.Equal(64, Convert.FromBase64String(text).Length);
        Assert.DoesNotContain(text, host.Log.All, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(host.KeyFile)!));
    }

    [Fact]
    public async Task A_restart_keeps_the_key_and_repairs_its_mode()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-test-").FullName;
        try
        {
            var file = Path.Combine(folder, "signing.key");
            var setup = new HostSetup { Tokens = tokens => tokens.SigningKeyFile = file };
            await using (await TestHost.StartAsync(setup)) { }
            var first = await File.ReadAllTextAsync(file);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
            await using (await TestHost.StartAsync(setup)) { }
            Assert.Equal(first, await File.ReadAllTextAsync(file));
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            await File.WriteAllTextAsync(file, "c2hvcnQ=");
            var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => TestHost.StartAsync(setup));
            Assert.Contains(file, fault.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("c2hvcnQ", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Mapping_without_accounts_names_the_missing_call()
    {
        var builder = Microsoft.AspNetCore.Builder.WebApplication.CreateSlimBuilder();
        builder.Services.AddRouting();
        var fault = Assert.Throws<InvalidOperationException>(() => builder.Build().MapDunlinAccounts());
        Assert.Contains("AddAccounts()", fault.Message, StringComparison.Ordinal);
    }
}
