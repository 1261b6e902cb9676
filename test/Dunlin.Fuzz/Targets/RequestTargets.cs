using Dunlin.Fuzz.Engine;

namespace Dunlin.Fuzz.Targets;

/// <summary>Requests whose bodies or headers belong to one protocol.</summary>
internal static class RequestTargets
{
    public static FuzzTarget Publish() =>
        new RequestTarget("http-publish", isServer: true, "Dunlin.Publishing.", "Dunlin.Journal.JournalJson", "Dunlin.Problems.Request")
        {
            Words =
            [
                "POST /dunlin/v1/events",
                "GET /dunlin/v1/journal?topic=a/**&after=0000002a-0&limit=2",
                "\nIdempotency-Key: k",
                "\nContent-Type: application/json",
                "\nContent-Encoding: gzip",
                "&after=",
                "&limit=0",
                "%00",
                "%2A%2A",
                "\"topic\":\"a/b\"",
                "\"transient\":true",
                "\\ud83d",
                "1e400",
            ],
            IsJson = true,
            Weight = 2,
        };

    public static FuzzTarget DurableStreams() =>
        new RequestTarget("durable-streams", isServer: true, "Dunlin.DurableStreams.")
        {
            Words =
            [
                "PUT /streams/a",
                "POST /streams/a",
                "GET /streams/a?offset=-1",
                "GET /streams/a?offset=now&live=long-poll",
                "GET /streams/a?offset=-1&live=sse&cursor=9",
                "DELETE /streams/a",
                "HEAD /streams/a",
                "PUT /streams/__ds/subscriptions/s",
                "\nContent-Type: application/json",
                "\nContent-Type: text/plain",
                "\nStream-Closed: true",
                "\nStream-Seq: 1",
                "\nStream-TTL: 60",
                "\nStream-TTL: 99999999999999999999",
                "\nStream-Expires-At: 2030-01-01T00:00:00Z",
                "\nStream-Forked-From: /streams/a",
                "\nStream-Fork-Offset: 0000000000000042_0000000000000001",
                "\nStream-Fork-Sub-Offset: 1",
                "\nProducer-Id: p",
                "\nProducer-Epoch: 0",
                "\nProducer-Seq: 9223372036854775807",
                "\nIf-None-Match: \"1\"",
                "offset=",
                "%2e%2e",
                "%00",
            ],
            IsJson = true,
            Weight = 4,
        };

    public static FuzzTarget Mercure() =>
        new RequestTarget("mercure", isServer: true, "Dunlin.Mercure.")
        {
            Words =
            [
                "POST /.well-known/mercure",
                "GET /.well-known/mercure?match=a",
                "GET /.well-known/mercure?topic=a",
                "GET /.well-known/mercure/subscriptions",
                "QUERY /.well-known/mercure",
                "\nContent-Type: application/x-www-form-urlencoded",
                "\nContent-Type: multipart/form-data; boundary=x",
                "\nLast-Event-ID: earliest",
                "\nCookie: mercureAuthorization=x",
                "\nAuthorization: Bearer x",
                "\nOrigin: https://evil.example",
                "topic=a&data=b",
                "&match_urlpattern=https%3A%2F%2Fa%2F:id",
                "&last_event_id=",
                "%00",
                "%ff",
            ],
            Weight = 2,
        };

    public static FuzzTarget Leases() =>
        new RequestTarget("leases", isServer: true, "Dunlin.Leases.", "Dunlin.Access.", "Dunlin.Webhooks.", "Dunlin.Streams.Combined.")
        {
            Words =
            [
                "PUT /dunlin/v1/leases/a",
                "POST /dunlin/v1/leases/a/renew",
                "DELETE /dunlin/v1/leases/a",
                "POST /dunlin/v1/streams",
                "POST /dunlin/v1/webhooks",
                "PATCH /dunlin/v1/webhooks/w",
                "\nDunlin-Lease: aaaaaaaaaaaa",
                "\nDunlin-User: backend",
                "\nContent-Type: application/json",
                "\"leaseId\":\"aaaaaaaaaaaa\"",
                "\"seconds\":30",
                "\"fence\":1",
                "\"wait\":true",
                "1e300",
                "null",
            ],
            IsJson = true,
            Weight = 2,
        };

    public static FuzzTarget Replicache() =>
        new RequestTarget("replicache", isServer: false, "Dunlin.Replicache.")
        {
            Words =
            [
                "POST /api/v1/replicache/push",
                "POST /api/v1/replicache/pull",
                "\nContent-Type: application/json",
                "\"pushVersion\":1",
                "\"clientGroupID\":\"g\"",
                "\"mutations\":[",
                "\"cookie\":{\"order\":1,\"at\":\"0000002a-1\",\"of\":\"x\"}",
                "\"createList\"",
                "\"schemaVersion\":\"1\"",
                "\"lastMutationID\"",
                "9007199254740993",
                "\\ud83d",
                "\\u0000",
            ],
            IsJson = true,
            Weight = 2,
        };

    public static FuzzTarget RxDb() =>
        new RequestTarget("rxdb", isServer: false, "Dunlin.RxDb.")
        {
            Words =
            [
                "POST /api/v1/sync/push/wishlists",
                "POST /api/v1/sync/push/items?schema=0",
                "GET /api/v1/sync/pull/wishlists?position=0000002a-1&limit=1",
                "\nContent-Type: application/json",
                "\nDunlin-Lease: a, b",
                "\"newDocumentState\":{",
                "\"assumedMasterState\":null",
                "\"_deleted\":true",
                "\"id\":\"d1\"",
                "&schema=99999999999",
                "\\ud83d",
                "\\u0000",
                "1e400",
            ],
            IsJson = true,
            Weight = 2,
        };
}
