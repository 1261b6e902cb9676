// Measures time and allocations of the engine's hot paths.
//   dotnet run -c Release --project bench/micro -- --filter '*' --inProcess
//   dotnet run -c Release --project bench/micro -- topics        readers that do not match; resume by foreign id
using BenchmarkDotNet.Running;
using Dunlin.Bench.Micro;

if (args is ["topics"])
    await TopicCosts.RunAsync();
else
    BenchmarkSwitcher.FromAssembly(typeof(Engine).Assembly).Run(args);
