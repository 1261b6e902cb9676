using System.Diagnostics;
using System.Runtime.InteropServices;
using Dunlin.Fuzz;
using Dunlin.Fuzz.Coverage;

const string Instrumented = "DUNLIN_FUZZ_INSTRUMENTED";

if (FuzzOptions.Parse(args) is not { } options)
    return FuzzOptions.UsageExitCode;
if (Environment.GetEnvironmentVariable(Instrumented) is not null)
    return await FuzzCommands.RunAsync(options);

// The runtime has loaded the plain assemblies already: the instrumented copies need a process of their own.
var folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
var copies = folder + "-instrumented";
Instrumenter.Prepare(folder, copies);
var host = Environment.ProcessPath!;
var isDotnet = Path.GetFileNameWithoutExtension(host).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
var start = new ProcessStartInfo(isDotnet ? host : Path.Combine(copies, Path.GetFileName(host)));
if (isDotnet)
    start.ArgumentList.Add(Path.Combine(copies, "Dunlin.Fuzz.dll"));
foreach (var argument in args)
    start.ArgumentList.Add(argument);
start.Environment[Instrumented] = "1";
using var child = Process.Start(start)!;
using var stop = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => child.Kill());
await child.WaitForExitAsync();
return child.ExitCode;
