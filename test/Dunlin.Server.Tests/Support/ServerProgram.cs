using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Support;

/// <summary>The server and its commands in separate processes.</summary>
internal sealed class ServerProgram() : DunlinProcess(Program)
{
    public static string Program => Path.Combine(AppContext.BaseDirectory, "dunlin.dll");
}
