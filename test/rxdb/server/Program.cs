using System.Net;
using Dunlin.RxDb.TestHost;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

// Arguments: port (0 for any free one), data folder.
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
    kestrel.Listen(IPAddress.Loopback, int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture))
);
builder.Services.AddShelves().AddSqlite(Path.Combine(args[1], "shelves.db"));
await using var app = builder.Build();
app.UseShelves();
await app.StartAsync();
Console.WriteLine($"Dunlin is at {app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()}");
await app.WaitForShutdownAsync();
