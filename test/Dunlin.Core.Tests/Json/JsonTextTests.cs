using System.Text;
using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Json;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Json;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""{"a":"abc\ud83d"}""", "a", "unpaired surrogate")]
    [InlineData("""{"a":[1,"\udc00"]}""", "a[1]", "unpaired surrogate")]
    [InlineData("""["\ud83d\ud83d\ude00"]""", "[0]", "unpaired surrogate")]
    [InlineData("""["\ude00\ud83d"]""", "[0]", "unpaired surrogate")]
    [InlineData("""{"a":{"\ud83d":1}}""", @"a.\ud83d", "unpaired surrogate")]
    [InlineData("""{"b":[{"a":"\\\ud83d"}]}""", "b[0].a", "unpaired surrogate")]
    [InlineData("""{"a":"x\u0000"}""", "a", "NUL")]
    [InlineData("""{"x\u0000":1}""", @"x\u0000", "NUL")]
    [InlineData("""{"a":{"b":1,"b":2}}""", "a.b", "twice")]
    [InlineData("""{"a":1,"\u0061":2}""", @"\u0061", "twice")]
    [InlineData("""{"a":[0,1e400]}""", "a[1]", "out of range")]
    [InlineData("""{"a":-1e999}""", "a", "out of range")]
    [InlineData("""{"a":[[[[1]]]]}""", "a[0][0][0]", "deeper than 4")]
    [InlineData("""{"a":1,}""", "", "not valid JSON")]
    [InlineData("""{"a":1}/**/""", "", "not valid JSON")]
    [InlineData("""{"a":1} 2""", "", "not valid JSON")]
    [InlineData("""{"a":"\uD8"}""", "", "not valid JSON")]
    [InlineData("", "", "not valid JSON")]
    [InlineData("NaN", "", "not valid JSON")]
    public void An_error_is_reported_with_its_position(string json, string path, string reason)
    {
        var fault = JsonText.Find(Encoding.UTF8.GetBytes(json), new JsonTextRules(4, IsDocument: true));
        Assert.NotNull(fault);
        Assert.Equal(path, fault.Path);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":"\ud83d\ude00 \\ud83d \u0001"}""")]
    [InlineData("""{"a":9007199254740993,"b":123456789012345678901234567890,"c":1e308}""")]
    [InlineData("""{"a":{"b":1},"c":[{"b":1},{"b":2}]}""")]
    [InlineData("null")]
    public void Valid_JSON_is_accepted(string json) => Assert.Null(JsonText.Find(Encoding.UTF8.GetBytes(json), JsonTextRules.Document));

    [Theory]
    [InlineData("""{"a":"\u0000","a":1e400}""")]
    public void Data_is_passed_on_unchanged(string json) => Assert.Null(JsonText.Find(Encoding.UTF8.GetBytes(json), JsonTextRules.Data));

    [Fact]
    public void Invalid_UTF8_is_refused() =>
        Assert.Equal(ErrorCode.InvalidJson, JsonText.Find([(byte)'"', 0xff, (byte)'"'], JsonTextRules.Data)?.Code);

    [Fact]
    public void A_repaired_text_keeps_its_length_and_is_readable()
    {
        var random = TestSeed.NewRandom(out var seed);
        string[] parts = ["\\ud83d", "\\ude00", "\\\\", "\\u0041", "x", "\\n", "é", "\\uD800", "\\uDFFF", "\\\""];
        for (var i = 0; i < 3_000; i++)
        {
            string Text() => string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => parts[random.Next(parts.Length)]));
            var json = Encoding.UTF8.GetBytes($"{{\"a{Text()}\":[\"{Text()}\"],\"b\":\"{Text()}\"}}");
            var repaired = JsonText.Repair(json);
            Assert.Equal(json.Length, repaired.Length);
            Assert.True(JsonText.IsUnicode(repaired.Span), $"seed {seed}");
            using var document = JsonDocument.Parse(repaired);
            foreach (var member in document.RootElement.EnumerateObject())
                Assert.NotNull(
                    member.Name + (member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : member.Value[0].GetString())
                );
            // System.Text.Json can read exactly those texts that need no repair.
            Assert.Equal(repaired.Span.SequenceEqual(json), IsReadable(json));
        }
    }

    [Fact]
    public void Items_and_members_keep_their_order()
    {
        Assert.Equal(["1", "\"\\ud83d\"", "{ \"a\" : [ ] }"], JsonText.Items(Utf8(" [1, \"\\ud83d\" ,{ \"a\" : [ ] }] "))!.Select(Of));
        Assert.Equal(
            ["a=1", "\\u0061={}"],
            JsonText.Members(Utf8("{\"a\":1, \"\\u0061\" : {}}"))!.Select(m => $"{Of(m.Name)}={Of(m.Value)}")
        );
        Assert.Null(JsonText.Items(Utf8("{}")));
        Assert.Null(JsonText.Members(Utf8("[]")));
        Assert.Equal("2", Of(JsonText.Member(Utf8("{\"a\":1,\"a\":2}"), "a"u8)!.Value));
        Assert.ThrowsAny<JsonException>(() => JsonText.Items(Utf8("[1] x")));
    }

    private static bool IsReadable(byte[] json)
    {
        try
        {
            return System
                .Text.Json.Nodes.JsonNode.Parse(json)!
                .AsObject()
                .All(member => member.Value!.ToJsonString().Length > 0 && Texts(member.Value).All(text => text is not null));
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static IEnumerable<string?> Texts(System.Text.Json.Nodes.JsonNode node) =>
        node is System.Text.Json.Nodes.JsonArray array ? array.Select(item => item!.GetValue<string>()) : [node.GetValue<string>()];

    private static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Of(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
