using System.Globalization;
using System.Net.Sockets;
using Dunlin.Server.Commands.Remote;

namespace Dunlin.Server.Doctor;

/// <summary>Checks the limits on the way: long headers, long addresses, and the open files of a server on this machine.</summary>
internal static class LimitChecks
{
    private const int TokenBytes = 8 * 1024; // the longest token that the server accepts
    private const int AddressBytes = 14 * 1024; // 64 topics of 200 characters, and their names

    // Streams of one node that need no second thought, and the files that a server needs for other things.
    private const int FewStreams = 4_000;
    private const int OwnFiles = 512;

    public static async Task RunAsync(
        Examination examination,
        string? dataFolder,
        Action<Finding> report,
        CancellationToken cancellationToken
    )
    {
        report(
            await PassesAsync(examination, "", TokenBytes, cancellationToken) is { } header
                ? Finding.Warn(
                    "header size",
                    $"A request header of 8 KiB was refused ({header}): long tokens will fail.",
                    "Raise the limit of the proxy (nginx: large_client_header_buffers 4 64k), or issue tokens with fewer grants."
                )
                : Finding.Ok("header size", "A request header of 8 KiB, the longest token, passes.")
        );
        report(
            await PassesAsync(examination, "?probe=" + new string('x', AddressBytes), 0, cancellationToken) is { } address
                ? Finding.Warn(
                    "address size",
                    $"An address of 14 KiB was refused ({address}): streams with many topics will fail.",
                    "Raise the limit of the proxy (nginx: large_client_header_buffers 4 64k), or use POST /dunlin/v1/events/subscribe."
                )
                : Finding.Ok("address size", "An address of 14 KiB, 64 long topics, passes.")
        );
        if (dataFolder is not null && RemoteServer.IsLocal(examination.Server) && OpenFiles(dataFolder) is { } limit)
            report(Files(limit));
    }

    private static Finding Files(long limit)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"The server may open {limit} files, which is enough for {Math.Max(0, limit - OwnFiles)} streams."
        );
        return limit - OwnFiles >= FewStreams
            ? Finding.Ok("open files", text)
            : Finding.Warn("open files", text, "Raise the limit before the start: LimitNOFILE= in a systemd unit, or 'ulimit -n'.");
    }

    /// <summary>Returns the answer if it is an error; null if the request passes.</summary>
    private static async Task<string?> PassesAsync(
        Examination examination,
        string query,
        int headerBytes,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var request = examination.Request(HttpMethod.Get, "healthz/live" + query, withToken: false);
            if (headerBytes > 0)
                request.Headers.Add("Dunlin-Probe", new string('x', headerBytes));
            using var answer = await examination.SendAsync(request, cancellationToken);
            return (int)answer.StatusCode is 400 or 413 or 414 or 431 or 494 ? $"status {(int)answer.StatusCode}" : null;
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or TimeoutException)
        {
            return ServerChecks.Innermost(exception);
        }
    }

    /// <summary>Reads the soft limit of the process that has the SQLite file of a folder open; null if there is none.</summary>
    private static long? OpenFiles(string dataFolder)
    {
        try
        {
            // FileGuard of the store writes "process 17 on host".
            var words = File.ReadAllText(Path.Combine(dataFolder, "dunlin.db-open")).Split(' ');
            if (words is not ["process", var id, "on", var host] || host != Environment.MachineName)
                return null;
            var line = File.ReadLines($"/proc/{id}/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
            var soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
            return soft == "unlimited" ? long.MaxValue : long.Parse(soft, CultureInfo.InvariantCulture);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
