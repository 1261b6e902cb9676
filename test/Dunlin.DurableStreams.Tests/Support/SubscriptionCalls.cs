using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dunlin.DurableStreams.Tests.Support;

/// <summary>Requests to subscriptions.</summary>
internal static class SubscriptionCalls
{
    private const string Root = "/streams/__ds/subscriptions/";

    extension(StreamHost host)
    {
        public Task<StreamAnswer> SubscribeAsync(
            string id,
            string url,
            string pattern = "alice/**",
            string user = "alice",
            int lease = 30_000
        ) =>
            host.PutAsync(
                id,
                new JsonObject
                {
                    ["type"] = "webhook",
                    ["pattern"] = pattern,
                    ["webhook"] = new JsonObject { ["url"] = url },
                    ["lease_ttl_ms"] = lease,
                },
                user
            );

        public Task<StreamAnswer> PullAsync(string id, string pattern = "alice/data/*", string wake = "alice/wake") =>
            host.PutAsync(
                id,
                new JsonObject
                {
                    ["type"] = "pull-wake",
                    ["pattern"] = pattern,
                    ["wake_stream"] = wake,
                },
                "alice"
            );

        public Task<StreamAnswer> PutAsync(string id, JsonObject body, string user = "alice") =>
            host.SendAsync("PUT", Root + id, body.ToJsonString(), user, "application/json");

        public Task<StreamAnswer> GetSubscriptionAsync(string id, string user = "alice") => host.SendAsync("GET", Root + id, user: user);

        public Task<StreamAnswer> CallAsync(string id, string action, JsonObject body, string? token, string user = "") =>
            host.SendAsync(
                "POST",
                $"{Root}{id}/{action}",
                body.ToJsonString(),
                user,
                "application/json",
                token is null ? [] : [("Authorization", $"Bearer {token}")]
            );

        public Task<StreamAnswer> CreateStreamAsync(string path, string body = "[1]") =>
            host.SendAsync("PUT", "/streams/" + path, body, type: "application/json");

        public Task<StreamAnswer> AppendAsync(string path, string body = "1") =>
            host.SendAsync("POST", "/streams/" + path, body, type: "application/json");

        /// <summary>Waits until a subscription has a status.</summary>
        public async Task StatusAsync(string id, string status)
        {
            var seen = "";
            for (var tries = 0; seen != status; tries++)
            {
                Assert.True(tries < 3_000, $"'{id}' is '{seen}' instead of '{status}'");
                seen = (await host.GetSubscriptionAsync(id)).Is(200).Json().GetProperty("status").GetString()!;
                await Poll.TurnAsync();
            }
        }

        /// <summary>Waits until the cursor on a stream has an offset.</summary>
        public async Task AckedAsync(string id, string path, string offset)
        {
            for (var tries = 0; await host.CursorAsync(id, path) != offset; tries++)
            {
                Assert.True(tries < 3_000, $"the cursor of '{id}' on '{path}' is not at {offset}");
                await Poll.TurnAsync();
            }
        }

        /// <summary>Returns the acknowledged offset of a stream; null if it does not belong to the subscription.</summary>
        public async Task<string?> CursorAsync(string id, string path) =>
            (await host.GetSubscriptionAsync(id))
                .Is(200)
                .Json()
                .GetProperty("streams")
                .EnumerateArray()
                .Where(entry => entry.GetProperty("path").GetString() == path)
                .Select(entry => entry.GetProperty("acked_offset").GetString())
                .SingleOrDefault();
    }

    public static JsonElement Json(this StreamAnswer answer) => JsonDocument.Parse(answer.Bytes).RootElement.Clone();

    /// <summary>Returns the code of an error of the protocol.</summary>
    public static string Code(this StreamAnswer answer) => answer.Json().GetProperty("error").GetProperty("code").GetString()!;

    public static JsonObject Ack(string wakeId, long generation, bool done, params (string Path, string Offset)[] acks) =>
        new()
        {
            ["wake_id"] = wakeId,
            ["generation"] = generation,
            ["acks"] = new JsonArray([.. acks.Select(ack => new JsonObject { ["stream"] = ack.Path, ["offset"] = ack.Offset })]),
            ["done"] = done,
        };
}
