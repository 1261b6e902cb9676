namespace Dunlin.Redis.Leases;

/// <summary>One script, from the file <c>{name}.lua</c> embedded in this assembly. Redis keeps it by its digest.</summary>
internal sealed class LuaText(string name)
{
    public string Text { get; } = Read(name);

    private static string Read(string name)
    {
        using var stream =
            typeof(LuaText).Assembly.GetManifestResourceStream($"Dunlin.Redis.Scripts.{name}.lua")
            ?? throw new InvalidOperationException($"The script '{name}.lua' is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
