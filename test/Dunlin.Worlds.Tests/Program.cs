using Dunlin.Worlds.Tests.Nodes;

// The runner's entry point, unless a world starts this program as a node.
return args is ["--port", ..] ? await NodeProgram.RunAsync(args) : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
