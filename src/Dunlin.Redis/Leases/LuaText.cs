namespace Dunlin.Redis.Leases;

/// <summary>A script from the embedded file <c>{name}.lua</c>. Redis caches it by its digest.</summary>
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
