using Dunlin.Host;

var settings = HostSettings.Parse(args);
if (settings.Error is { } error)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine(HostSettings.Usage);
    return 2;
}
if (settings.ShowHelp)
{
    Console.WriteLine(HostSettings.Usage);
    return 0;
}
await using var app = HostApplication.Build(settings);
await app.RunAsync();
return 0;
