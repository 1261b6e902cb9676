using FakeModel;

var configuration = new ConfigurationBuilder().AddCommandLine(args).Build();
await FakeModelServer.Build(configuration["urls"] ?? "http://127.0.0.1:5093", configuration["paced"] == "true").RunAsync();
