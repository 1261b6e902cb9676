using Dunlin.Client.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Client.Tests.Hosting;

/// <summary>Registration in a container, and options from the configuration.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task Registered_client_uses_the_factory_and_the_configuration()
    {
        var server = new ScriptedServer();
        var services = new ServiceCollection();
        services
            .AddDunlinClient(
                Section(("Address", "https://sync.test/base/"), ("User", "ann"), ("Device", "d-1"), ("RequestTimeout", "00:00:07")),
                options => options.GetToken = static _ => new ValueTask<string?>("t1")
            )
            .ConfigurePrimaryHttpMessageHandler(() => server);
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<DunlinClient>();
        Assert.Same(client, provider.GetRequiredService<DunlinClient>());
        var asking = client.GetStatsAsync();
        var request = await server.NextAsync();
        Assert.Equal("https://sync.test/base/dunlin/v1/stats", request.Address.AbsoluteUri);
        Assert.Equal(
            ("Bearer t1", "ann", "d-1"),
            (request.Headers["Authorization"], request.Headers["Dunlin-User"], request.Headers["Dunlin-Device"])
        );
        request.Answer(new HttpResponseMessage { Content = new StringContent("""{"userId":"ann","connections":[]}""") });
        Assert.Equal("ann", (await asking).UserId);
    }

    [Theory]
    [InlineData("PublishAttempts", "many")]
    [InlineData("FallsBackToLongPoll", "sometimes")]
    [InlineData("RequestTimeout", "soon")]
    [InlineData("Address", "not an address")]
    public void Wrong_configuration_value_is_named_without_its_content(string key, string value)
    {
        var services = new ServiceCollection();
        services.AddDunlinClient(Section((key, value)));
        using var provider = services.BuildServiceProvider();
        var error = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredService<DunlinClient>());
        Assert.Contains($"Client:{key}", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_options_are_named()
    {
        static string Message(Action<DunlinClientOptions> set)
        {
            var options = new DunlinClientOptions { Address = new Uri("http://a.test") };
            set(options);
            return Assert.Throws<ArgumentException>(() => new DunlinClient(options)).Message;
        }
        Assert.Contains("Address", Message(o => o.Address = null), StringComparison.Ordinal);
        Assert.Contains("Address", Message(o => o.Address = new Uri("ftp://a.test")), StringComparison.Ordinal);
        Assert.Contains("Address", Message(o => o.Address = new Uri("http://a.test?x=1")), StringComparison.Ordinal);
        Assert.Contains("RequestTimeout", Message(o => o.RequestTimeout = TimeSpan.Zero), StringComparison.Ordinal);
        Assert.Contains("PublishAttempts", Message(o => o.PublishAttempts = 0), StringComparison.Ordinal);
        Assert.Contains("MaxEventBytes", Message(o => o.MaxEventBytes = 1), StringComparison.Ordinal);
        Assert.Contains("Token", Message(o => o.Token = "secret\n"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Message(o => o.Token = "secret\n"), StringComparison.Ordinal);
        Assert.Contains("Device", Message(o => o.Device = "a b"), StringComparison.Ordinal);
    }

    [Fact]
    public void Package_depends_on_Microsoft_Extensions_only()
    {
        var references = typeof(DunlinClient).Assembly.GetReferencedAssemblies().Select(static reference => reference.Name!).ToList();
        Assert.Contains("Microsoft.Extensions.Http", references);
        Assert.DoesNotContain(
            references,
            static name =>
                !name.StartsWith("System.", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
        );
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] values) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(pair => KeyValuePair.Create($"Client:{pair.Key}", (string?)pair.Value)))
            .Build()
            .GetSection("Client");
}
