using Dunlin.Worlds.Tests.Nodes;
using Dunlin.Worlds.Tests.Worlds;

// The runner's entry point, unless a world starts this program as a node.
return args switch
{
    ["--port", ..] => await NodeProgram.RunAsync(args),
    ["--rolling-update", var earlier] => await RollingUpdate.RunAsync(earlier),
    _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
};
