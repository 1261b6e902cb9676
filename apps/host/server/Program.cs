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
if (settings.MoveFrom is { } file)
{
    if (settings.Store is null)
    {
        Console.Error.WriteLine("--move-from needs --store: the empty PostgreSQL database to move into.");
        return 2;
    }
    await using var idle = HostApplication.Build(settings);
    try
    {
        Console.WriteLine($"Moved {await new StoreMover(idle.Services, Console.Out).RunAsync(file, settings.Store)} rows.");
        return 0;
    }
    catch (Exception fault) when (fault is InvalidOperationException or Dunlin.Diagnostics.DunlinException or System.Data.Common.DbException)
    {
        Console.Error.WriteLine($"Nothing was moved: {fault.Message}");
        return 1;
    }
}
await using var app = HostApplication.Build(settings);
await app.RunAsync();
return 0;
