using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dunlin.Server.Commands;

/// <summary>The colours of the output. Values are the parameters of the ANSI escape sequence SGR (ECMA-48).</summary>
internal enum Ink
{
    Red = 31,
    Green = 32,
    Yellow = 33,
    Dim = 2,
    Bold = 1,
}

/// <summary>Writes results to the standard output and everything else to the standard error, as text or as JSON. Not thread-safe.</summary>
/// <param name="result">Receives results only, so that scripts can read them.</param>
/// <param name="error">Receives errors, notes and progress.</param>
/// <param name="isJson">Whether results and errors are JSON, one value on each line.</param>
/// <param name="resultIsTerminal">Whether results may have colours.</param>
/// <param name="errorIsTerminal">Whether progress may replace its line.</param>
internal sealed class CommandOutput(TextWriter result, TextWriter error, bool isJson, bool resultIsTerminal, bool errorIsTerminal)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool _hasProgress;

    public bool IsJson => isJson;

    /// <summary>Gets whether progress is shown: only on a terminal.</summary>
    public bool ShowsProgress => errorIsTerminal;

    private static bool AllowsColour => string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Writes a line of the result.</summary>
    public void Line(string text)
    {
        EndProgress();
        result.WriteLine(text);
    }

    /// <summary>Writes one JSON value as a line of the result.</summary>
    public void Json(Action<Utf8JsonWriter> write)
    {
        EndProgress();
        result.WriteLine(ToJson(write));
    }

    /// <summary>Writes a JSON object as a line of the result.</summary>
    public void JsonObject(Action<Utf8JsonWriter> writeMembers) =>
        Json(json =>
        {
            json.WriteStartObject();
            writeMembers(json);
            json.WriteEndObject();
        });

    public void Flush() => result.Flush();

    /// <summary>Writes a table with aligned columns, without a line if there are no rows.</summary>
    public void Table(IReadOnlyList<string> headings, IReadOnlyList<string[]> rows)
    {
        if (rows.Count == 0)
            return;
        var widths = headings.Select((heading, i) => Math.Max(heading.Length, rows.Max(row => row[i].Length))).ToList();
        Line(Paint(Row(headings, widths), Ink.Bold));
        foreach (var row in rows)
            Line(Row(row, widths));
    }

    /// <summary>Writes a remark for people, which is no part of the result.</summary>
    public void Note(string text)
    {
        EndProgress();
        error.WriteLine($"dunlin: {text}");
    }

    public void Error(CommandFault fault)
    {
        EndProgress();
        if (isJson)
        {
            error.WriteLine(
                ToJson(json =>
                {
                    json.WriteStartObject();
                    json.WriteString("error", fault.Message);
                    if (fault.Code is not null)
                        json.WriteString("code", fault.Code);
                    if (fault.Hint is not null)
                        json.WriteString("hint", fault.Hint);
                    json.WriteNumber("exitCode", fault.ExitCode);
                    json.WriteEndObject();
                })
            );
            return;
        }
        var code = fault.Code is null ? "" : $" ({fault.Code})";
        error.WriteLine($"dunlin: {fault.Message}{code}");
        if (fault.Hint is not null)
            error.WriteLine($"        {fault.Hint}");
    }

    /// <summary>Replaces the line of the progress on a terminal; does nothing elsewhere.</summary>
    public void Progress(string text)
    {
        if (!errorIsTerminal)
            return;
        // CR, and EL (ECMA-48): erases the rest of the earlier text.
        error.Write($"\r{text}\u001b[K");
        error.Flush();
        _hasProgress = true;
    }

    public string Paint(string text, Ink ink) => resultIsTerminal && AllowsColour && !isJson ? $"\u001b[{(int)ink}m{text}\u001b[0m" : text;

    private static string Row(IReadOnlyList<string> cells, IReadOnlyList<int> widths) =>
        string.Join("  ", cells.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd();

    private static string ToJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Compact))
            write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void EndProgress()
    {
        if (!_hasProgress)
            return;
        error.WriteLine();
        _hasProgress = false;
    }
}
