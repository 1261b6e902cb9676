using Dunlin.Server.Tests.Support;

namespace Dunlin.Client.Tests.Support;

/// <summary>A server process for all tests of a class.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    private readonly ServerProgram _program = new();

    public Uri Address => _program.Address;

    public async ValueTask InitializeAsync()
    {
        _program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await _program.StartAsync();
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    internal DunlinClient Client(string token) => new(new DunlinClientOptions { Address = Address, Token = token });
}
