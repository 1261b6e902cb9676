// Measures time and allocations of the engine's hot paths.
//   dotnet run -c Release --project bench/micro -- --filter '*' --inProcess
//   dotnet run -c Release --project bench/micro -- topics        readers that do not match; resume by foreign id
//   dotnet run -c Release --project bench/micro -- documents     opening a Yjs document of 100,000 updates
using BenchmarkDotNet.Running;
using Dunlin.Bench.Micro;

if (args is ["topics"])
    await TopicCosts.RunAsync();
else if (args is ["documents"])
    await DocumentCosts.RunAsync();
else
    BenchmarkSwitcher.FromAssembly(typeof(Engine).Assembly).Run(args);
