using Dunlin.Server.Commands;

return await CommandLine.RunAsync(args);
