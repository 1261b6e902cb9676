using Dunlin.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Security;

/// <summary>Validates tokens without a host.</summary>
internal static class TestTokens
{
    public static TokenValidator Validator(AccessTokenOptions options, TimeProvider time)
    {
        var services = new ServiceCollection();
        Authorities.AddClient(services);
        var clients = services.BuildServiceProvider().GetRequiredService<IHttpClientFactory>();
        var given = Options.Create(options);
        return new TokenValidator(given, Keys(options), time, new Authorities(given, clients, time, NullLogger<Authorities>.Instance));
    }

    public static AccessTokens Issuer(AccessTokenOptions options, TimeProvider time) =>
        new(Options.Create(options), Keys(options), Validator(options, time), time);

    private static SigningKeyStore Keys(AccessTokenOptions options) =>
        new(Options.Create(options), new Nowhere(), NullLogger<SigningKeyStore>.Instance);

    private sealed class Nowhere : IHostEnvironment
    {
        public string ApplicationName { get; set; } = "";
        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
        public string ContentRootPath { get; set; } = "/nowhere";
        public string EnvironmentName { get; set; } = "Production";
    }
}
