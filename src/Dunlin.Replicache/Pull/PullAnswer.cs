using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Dunlin.Records;

namespace Dunlin.Replicache.Pull;

/// <summary>The response of a pull. It is collected while the snapshot is open and sent afterwards, so that a slow client holds no
/// snapshot. Not thread-safe.</summary>
internal sealed class PullAnswer : IDisposable
{
    // Without validation the writer accepts several values in sequence, separated by commas: the content of an array.
    private static readonly JsonWriterOptions Fragment = new() { SkipValidation = true };

    private readonly ChunkBuffer _goneBytes = new();
    private readonly ChunkBuffer _putBytes = new();
    private readonly Utf8JsonWriter _gone;
    private readonly Utf8JsonWriter _put;

    public PullAnswer() => (_gone, _put) = (new Utf8JsonWriter(_goneBytes, Fragment), new Utf8JsonWriter(_putBytes, Fragment));

    public bool Clears { get; set; }

    public PullCookie Cookie { get; set; } = null!;

    public IReadOnlyList<(string ClientId, long LastMutation, long Version)> LastMutations { get; set; } = [];

    public void Add(RecordChange change)
    {
        var json = change.IsGone ? _gone : _put;
        json.WriteStartObject();
        json.WriteString("op"u8, change.IsGone ? "del"u8 : "put"u8);
        json.WriteString("key"u8, change.Key);
        if (!change.IsGone)
        {
            json.WritePropertyName("value"u8);
            json.WriteRawValue(change.Value.Span, skipInputValidation: true);
        }
        json.WriteEndObject();
    }

    public async ValueTask WriteAsync(PipeWriter body, CancellationToken cancellationToken)
    {
        _gone.Flush();
        _put.Flush();
        body.Write(Clears ? "{\"patch\":[{\"op\":\"clear\"}"u8 : "{\"patch\":["u8);
        // Deletions first: a record that has moved to another space is deleted in one space and put in the other under the same key.
        var isFirst = !Clears;
        foreach (var part in new[] { _goneBytes, _putBytes })
        {
            if (part.IsEmpty)
                continue;
            if (!isFirst)
                body.Write(","u8);
            isFirst = false;
            await part.CopyToAsync(body, cancellationToken);
        }
        body.Write("],"u8);
        WriteRest(body);
        await body.FlushAsync(cancellationToken);
    }

    public void Dispose()
    {
        _gone.Dispose();
        _put.Dispose();
        _goneBytes.Dispose();
        _putBytes.Dispose();
    }

    private void WriteRest(PipeWriter body)
    {
        using var json = new Utf8JsonWriter(body, Fragment);
        json.WritePropertyName("lastMutationIDChanges"u8);
        json.WriteStartObject();
        foreach (var (clientId, lastMutation, _) in LastMutations)
            json.WriteNumber(clientId, lastMutation);
        json.WriteEndObject();
        json.WritePropertyName("cookie"u8);
        Cookie.Write(json);
        json.WriteEndObject();
    }
}
