using System.CommandLine;
using Dunlin.Server;

// The host handles signals. System.CommandLine would end the process two seconds after SIGTERM, before all streams are closed.
return await CommandLine.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
