using Dunlin.Server.Tests.Support;

namespace Dunlin.Server.Tests.Commands;

/// <summary>Commands without a token, on the machine of the server.</summary>
[Trait("Store", "own")]
public sealed class LocalKeyTests : IAsyncLifetime
{
    private readonly ServerProgram _program = new();

    public ValueTask InitializeAsync() => new(_program.StartAsync("serve"));

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    [Fact]
    public async Task The_local_signing_key_is_used_and_named()
    {
        _program.Settings["DUNLIN_SERVER"] = $"{_program.Address}";
        var (code, output, error) = await _program.RunCommandAsync("publish", "t/1", "1", "--data", _program.Data);
        Assert.True(code == 0, error);
        Assert.Matches("^[0-9a-f]{8}-1\n$", output);
        Assert.Contains("made with the local signing key", error, StringComparison.Ordinal);

        // A token in the environment comes first, and another folder has no key.
        _program.Settings["DUNLIN_TOKEN"] = "wrong";
        (code, _, error) = await _program.RunCommandAsync("publish", "t/1", "1", "--data", _program.Data);
        Assert.Equal(1, code);
        Assert.DoesNotContain("local signing key", error, StringComparison.Ordinal);
        _program.Settings.Remove("DUNLIN_TOKEN");
        var none = Path.Combine(_program.Folder, "none");
        (code, _, error) = await _program.RunCommandAsync("publish", "t/1", "1", "--data", none);
        Assert.Equal(1, code);
        Assert.Contains("(not_signed_in)", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(none));
    }
}
