using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Support;

/// <summary>The server as a process of its own, and its commands.</summary>
internal sealed class ServerProgram() : DunlinProcess(Program)
{
    public static string Program => Path.Combine(AppContext.BaseDirectory, "dunlin.dll");
}
