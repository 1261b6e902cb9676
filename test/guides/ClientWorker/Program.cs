using Dunlin.Client;

// Appends each event to the file `events` of a folder. Arguments: the address, the token, the folder.
var (address, token, folder) = (new Uri(args[0]), args[1], args[2]);
using var client = new DunlinClient(new DunlinClientOptions { Address = address, Token = token });
var options = new SubscribeOptions { Positions = new FilePositionStore(folder), Name = "worker" };
var file = Path.Combine(folder, "events");
await foreach (var e in client.SubscribeAsync("work/**", options))
{
    if (e.IsReset)
        throw new InvalidOperationException($"Events were lost: {e.ResetReason}");
    await File.AppendAllTextAsync(file, $"{e.Position} {e.GetText()}\n");
}
