using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Dunlin.Relational.Moving;

/// <summary>Splits a stream into numbered lines and adds the number of the line to errors.</summary>
internal static class JournalLines
{
    /// <summary>Reads the lines, numbered from 1, without their ends. The stream stays open.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="isWhole">Whether a last line without an end is an error. Otherwise it is left out.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="FormatException">A line is too long or has no end.</exception>
    public static async IAsyncEnumerable<(long Number, byte[] Line)> ReadAsync(
        Stream stream,
        bool isWhole,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        for (long number = 1; ; )
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var rest = result.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                yield return (number++, rest.Slice(0, end).ToArray());
                rest = rest.Slice(rest.GetPosition(1, end));
            }
            if (rest.Length > JournalLine.MaxBytes)
                throw new FormatException($"Line {number} is longer than {JournalLine.MaxBytes} bytes.");
            if (result.IsCompleted)
            {
                if (isWhole && !rest.IsEmpty)
                    throw new FormatException($"Line {number} has no end: the file is incomplete. Run the export again to complete it.");
                await pipe.CompleteAsync();
                yield break;
            }
            pipe.AdvanceTo(rest.Start, rest.End);
        }
    }

    /// <summary>Runs a check and adds the number of the line to its error.</summary>
    public static T At<T>(long number, Func<T> check)
    {
        try
        {
            return check();
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException or OverflowException)
        {
            throw new FormatException($"Line {number}: {exception.Message}", exception);
        }
    }
}
