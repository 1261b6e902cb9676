using Dunlin.Sqlite.Tests.Support;

// The runner's entry point, unless a test starts this program as its second process.
return args is ["child", ..] ? await ChildProgram.RunAsync(args[1..]) : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
