using System.Text;
using Dunlin.Fuzz.Engine;
using Dunlin.Fuzz.Http;

namespace Dunlin.Fuzz.Targets;

/// <summary>
/// One request to a program. An input is the method and the target, header fields in lines, an empty line, and the body. The length of the
/// body and the user's token are added.
/// </summary>
internal sealed class RequestTarget(string name, bool isServer, params string[] scope) : FuzzTarget(name, scope)
{
    private FuzzHost _host = null!;
    private byte[] _before = [];
    private string _token = "";

    public override async ValueTask StartAsync()
    {
        _host = isServer ? await Hosts.ServerAsync() : await Hosts.DemoAsync();
        _token = isServer ? Hosts.Token("backend", roles: """["admin"]""") : await Hosts.SignInAsync(_host, "alice");
        _host.TakeFaults();
    }

    public override async ValueTask RunAsync(byte[] input)
    {
        var answers = await AnswerRules.ExchangeAsync(_host, input, Request(input), static () => int.MaxValue);
        FindingException.Require(answers.Count <= 1, "more responses than requests", $"{answers.Count}");
        AnswerRules.CheckLog(_host, Interlocked.Exchange(ref _before, input));
    }

    private byte[] Request(byte[] input)
    {
        var end = input.AsSpan().IndexOf("\n\n"u8);
        var head = (end < 0 ? input : input.AsSpan(0, end)).ToArray();
        var body = end < 0 ? [] : input[(end + 2)..];
        var lines = Encoding.Latin1.GetString(head).Split('\n');
        var text = new StringBuilder(lines[0]).Append(" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        foreach (var line in lines.Skip(1))
            text.Append(line).Append("\r\n");
        if (!lines.Any(static line => line.StartsWith("Authorization:", StringComparison.OrdinalIgnoreCase)))
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Authorization: Bearer {_token}\r\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n");
        return [.. Encoding.Latin1.GetBytes(text.ToString()), .. body];
    }
}
