using Dunlin.Interleavings.Tests.Rewriting;

namespace Dunlin.Interleavings.Tests;

/// <summary>Rewrites the engine beside this program, before anything loads it, and runs the tests.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        foreach (var name in Rewriter.Assemblies)
            Rewriter.Rewrite(Path.Combine(AppContext.BaseDirectory, name + ".dll"));
        return Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
    }
}
