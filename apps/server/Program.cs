using Dunlin.Server;

return await CommandLine.Create().Parse(args).InvokeAsync();
