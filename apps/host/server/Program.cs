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
return await ProgramRun.GuardedAsync(async () =>
{
    await using var app = HostApplication.Build(settings);
    if (settings.IsMove)
        await MoveRun.RunAsync(app.Services, settings.MoveFrom!, settings.Store!, Console.Out);
    else
        await ProgramRun.ServeAsync(app, settings.Address, settings.Port);
});
