// Measures time and allocations of the engine's hot paths.
//   dotnet run -c Release --project bench/micro -- --filter '*' --inProcess
using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Dunlin.Bench.Micro.Engine).Assembly).Run(args);
