using Dunlin.Diagnostics;

namespace Dunlin.Core.Tests.Style;

public sealed class PeerTextTests
{
    [Theory]
    [InlineData("createTask", "createTask")]
    [InlineData("", "")]
    [InlineData(null, "(null)")]
    [InlineData("Zo\u00eb \u0430\u043d\u043d\u0430", "Zo\u00eb \u0430\u043d\u043d\u0430")]
    [InlineData("a\r\nfail: Dunlin[1] forged", @"a\u000D\u000Afail: Dunlin[1] forged")]
    [InlineData("\u001b[2J\u0007", @"\u001B[2J\u0007")]
    [InlineData("a\u0085b\u2028c\u2029d", @"a\u0085b\u2028c\u2029d")]
    [InlineData("\u202egnp.exe\u200b", @"\u202Egnp.exe\u200B")]
    [InlineData(@"\u000A", @"\\u000A")]
    public void Peer_text_cannot_break_log_lines_or_control_a_terminal(string? text, string expected)
    {
        PeerText peer = text;
        Assert.Equal(expected, peer.ToString());
        Assert.Equal(expected, $"{peer}");
    }

    // Not a theory row, because assembly metadata cannot contain a lone surrogate.
    [Fact]
    public void A_lone_surrogate_is_escaped()
    {
        PeerText peer = "a" + (char)0xD800;
        Assert.Equal(@"a\uD800", peer.ToString());
    }

    [Fact]
    public void A_long_text_is_truncated()
    {
        PeerText peer = new string('a', 100_000);
        Assert.Equal(new string('a', PeerText.MaxLength) + "...", peer.ToString());
        PeerText wild = new string('\n', 100_000);
        Assert.Equal((6 * PeerText.MaxLength) + 3, wild.ToString().Length);
    }
}
