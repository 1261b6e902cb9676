namespace Dunlin.Client;

/// <summary>Creates the handler that the client uses unless the application supplies one.</summary>
internal static class ClientHandler
{
    public static SocketsHttpHandler Create() =>
        new()
        {
            // A server allows some 100 streams on one HTTP/2 connection. Further subscriptions need further connections.
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            // Follow changes of DNS. Streams that are open keep their connection.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            // A stream that is closed has no end to wait for: the server learns of it at once.
            ResponseDrainTimeout = TimeSpan.Zero,
            // A session cookie would compete with the token.
            UseCookies = false,
        };
}
