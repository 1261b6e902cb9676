using System.Security.Cryptography;
using System.Text;
using Dunlin.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dunlin.Sse;

/// <summary>The opening handshake of a WebSocket over HTTP/1.1 (RFC 6455, section 4.2).</summary>
internal static class WebSocketHandshake
{
    /// <summary>The subprotocol: each text message holds frames of the event stream.</summary>
    public const string Subprotocol = "dunlin.v1";

    private const string Version = "13";
    private const string AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Returns whether the client wants a WebSocket, also if a proxy has removed the header that asks for it.</summary>
    public static bool IsRequested(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && (request.Headers.SecWebSocketKey.Count > 0 || HasToken(request.Headers.Upgrade.ToString(), "websocket"));

    /// <exception cref="DunlinException"><see cref="ErrorCode.UpgradeRequired"/>: the version is not 13, or the request arrived without
    /// <c>Upgrade</c>. <see cref="ErrorCode.InvalidField"/>: the key or the subprotocol is missing.</exception>
    public static void Require(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var headers = request.Headers;
        if (!HasToken(headers.Upgrade.ToString(), "websocket") || !HasToken(headers.Connection.ToString(), "upgrade"))
        {
            response.Headers.Upgrade = "websocket";
            throw new DunlinException(
                ErrorCode.UpgradeRequired,
                "The request has a WebSocket key but no 'Upgrade: websocket' with 'Connection: Upgrade'. A proxy may have removed them.",
                HeaderNames.Upgrade
            );
        }
        if (headers.SecWebSocketVersion != Version)
        {
            response.Headers.SecWebSocketVersion = Version;
            throw new DunlinException(
                ErrorCode.UpgradeRequired,
                $"The WebSocket version must be {Version}.",
                HeaderNames.SecWebSocketVersion
            );
        }
        if (
            headers.SecWebSocketKey is not [{ Length: 24 } key]
            || !Convert.TryFromBase64String(key, stackalloc byte[18], out var length)
            || length != 16
        )
            throw new DunlinException(ErrorCode.InvalidField, "The WebSocket key must be 16 bytes in base64.", HeaderNames.SecWebSocketKey);
        if (!HasToken(headers.SecWebSocketProtocol.ToString(), Subprotocol))
        {
            throw new DunlinException(
                ErrorCode.InvalidField,
                $"A stream over a WebSocket needs the subprotocol '{Subprotocol}'.",
                HeaderNames.SecWebSocketProtocol
            );
        }
    }

    /// <summary>Sets the headers of the response that accepts the WebSocket.</summary>
    public static void Accept(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status101SwitchingProtocols;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
        headers.SecWebSocketProtocol = Subprotocol;
#pragma warning disable CA5350 // RFC 6455 names this hash. It proves that the server speaks the protocol and protects nothing.
        headers.SecWebSocketAccept = Convert.ToBase64String(
            SHA1.HashData(Encoding.ASCII.GetBytes(context.Request.Headers.SecWebSocketKey + AcceptSuffix))
        );
#pragma warning restore CA5350
    }

    private static bool HasToken(string list, string token) =>
        list.Split(',', StringSplitOptions.TrimEntries).Contains(token, StringComparer.OrdinalIgnoreCase);
}
