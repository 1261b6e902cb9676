using Dunlin.Client.Security;

namespace Dunlin.Client;

/// <summary>Holds the options of a client. Changes after the client was created have no effect.</summary>
public sealed class DunlinClientOptions
{
    /// <summary>The address of the server, with an optional path prefix: <c>https://sync.example.com</c>. Required.</summary>
    public Uri? Address { get; set; }

    /// <summary>Returns a bearer token, or null if there is none. The client keeps the token, and calls this again after a 401 or when the
    /// server ends a stream because the token expired. An exception is treated like a network error. Thread-safe functions only. Default:
    /// null, which sends no token.</summary>
    public Func<CancellationToken, ValueTask<string?>>? GetToken { get; set; }

    /// <summary>A token that never changes, for tools and configuration files. Ignored if <see cref="GetToken"/> is set. Default:
    /// null.</summary>
    public string? Token { get; set; }

    /// <summary>The id of the user that the client acts for, sent as <c>Dunlin-User</c>. The server refuses a credential of another user.
    /// Default: null, which does not check.</summary>
    public string? User { get; set; }

    /// <summary>The id of this device, sent as <c>Dunlin-Device</c>: 1 to 64 characters of <c>[A-Za-z0-9._-]</c>. Default: null, which
    /// creates an id for the lifetime of the client.</summary>
    public string? Device { get; set; }

    /// <summary>The longest time for one request, streams excepted. Default: 30 seconds. <see
    /// cref="Timeout.InfiniteTimeSpan"/> sets no limit.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of times that a publish without a known outcome is sent, with the same idempotency key. 1 never repeats and
    /// sends a key only if the application names one: the server limits keys to 10,000 an hour. Transient events are never repeated.
    /// Default: 6.</summary>
    public int PublishAttempts { get; set; } = 6;

    /// <summary>The largest event that a stream may receive, in bytes. A larger one closes the subscription. Default: 4 MiB.</summary>
    public int MaxEventBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Whether a stream becomes a sequence of long polls if no byte of it arrives within 4 seconds, as behind a proxy that holds
    /// back responses. The client tries streams again after 10 minutes, and after at most one hour if that fails again. Default:
    /// true.</summary>
    public bool FallsBackToLongPoll { get; set; } = true;

    /// <summary>The highest HTTP version of requests and streams. HTTP/2 needs TLS, because the client uses the highest version that both
    /// sides offer. Default: 2.0.</summary>
    public Version HttpVersion { get; set; } = System.Net.HttpVersion.Version20;

    /// <summary>The path of the endpoint that issues tickets. Default: <c>/api/v1/auth/ticket</c>.</summary>
    public string TicketPath { get; set; } = "/api/v1/auth/ticket";

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Returns a random number in [0, 1), for jitter.</summary>
    internal Func<double> NextRandom { get; set; } = Random.Shared.NextDouble;

    /// <summary>Throws if an option has an invalid value.</summary>
    internal void Validate()
    {
        if (Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            throw Wrong(nameof(Address), Address, "an absolute http or https address");
        if (Address.Query.Length + Address.Fragment.Length > 0)
            throw Wrong(nameof(Address), Address, "an address without a query");
        // The message does not repeat a secret.
        if (Token is not null && !TokenSource.IsHeaderSafe(Token))
            throw Wrong(nameof(Token), "...", "visible ASCII characters, without spaces");
        if (RequestTimeout <= TimeSpan.Zero && RequestTimeout != Timeout.InfiniteTimeSpan)
            throw Wrong(nameof(RequestTimeout), RequestTimeout, "a positive time");
        if (PublishAttempts < 1)
            throw Wrong(nameof(PublishAttempts), PublishAttempts, "1 or more");
        if (MaxEventBytes < 1024)
            throw Wrong(nameof(MaxEventBytes), MaxEventBytes, "1024 or more");
        if (
            Device is { } device
            && (device.Length is 0 or > 64 || device.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')))
        )
            throw Wrong(nameof(Device), device, "1 to 64 characters of [A-Za-z0-9._-]");
    }

    private static ArgumentException Wrong(string option, object? value, string expected) =>
        new($"DunlinClientOptions.{option} is '{value}'. It must be {expected}.", option);
}
