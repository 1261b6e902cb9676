using Dunlin.Apps.Common;
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
if (settings.MoveFrom is not null && settings.Store is null)
{
    Console.Error.WriteLine("--move-from needs --store: the empty PostgreSQL database to move into.");
    return 2;
}
return await ProgramRun.GuardedAsync(async () =>
{
    await using var app = HostApplication.Build(settings);
    if (settings.MoveFrom is { } file)
        await MoveAsync(app, file, settings.Store!);
    else
        await ProgramRun.ServeAsync(app, System.Net.IPAddress.Loopback, settings.Port);
});

static async Task MoveAsync(WebApplication app, string file, string store)
{
    try
    {
        Console.WriteLine($"Moved {await new StoreMover(app.Services, Console.Out).RunAsync(file, store)} rows.");
    }
    catch (Exception fault) when (fault is InvalidOperationException or Dunlin.Diagnostics.DunlinException or System.Data.Common.DbException)
    {
        throw new InvalidOperationException("Nothing was moved", fault);
    }
}
