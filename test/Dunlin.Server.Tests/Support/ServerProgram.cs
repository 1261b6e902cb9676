using Dunlin.TestKit;
using Dunlin.TestKit.Servers;

namespace Dunlin.Server.Tests.Support;

/// <summary>
/// The server and its commands in separate processes: the program that this build made, or the one that <c>DUNLIN_TEST_SERVER</c> names,
/// such as a native build.
/// </summary>
internal sealed class ServerProgram() : DunlinProcess(Program)
{
    /// <summary>The full path of the named program; null if none is named.</summary>
    public static string? Named { get; } =
        Environment.GetEnvironmentVariable("DUNLIN_TEST_SERVER") is { Length: > 0 } path ? Path.GetFullPath(path, Repository.Root) : null;

    /// <summary>The command of a shell that runs the program.</summary>
    public static string Command => Named is null ? $"dotnet '{Program}'" : $"'{Program}'";

    /// <summary>The file to start, and the arguments that precede those of the program.</summary>
    public static (string File, string[] Arguments) Invocation => Named is null ? ("dotnet", [Program]) : (Program, []);

    private static string Program => Named ?? Path.Combine(AppContext.BaseDirectory, "dunlin.dll");
}
