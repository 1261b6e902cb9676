using System.Net;
using Dunlin.Apps.Wishlists.Resolving;
using Dunlin.Outbound;

namespace Dunlin.Wishlists.Tests.Resolving;

/// <summary>Addresses that may be fetched, in every notation.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("10.255.255.255")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("100.127.255.255")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.0.2.1")]
    [InlineData("192.31.196.1")]
    [InlineData("192.52.193.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.1.1")]
    [InlineData("192.175.48.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("168.63.129.16")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2002:c0a8:101::1")]
    [InlineData("2620:4f:8000::1")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456:789a::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void Not_public(string address) => Assert.False(PublicAddress.IsPublic(IPAddress.Parse(address)), address);

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("8.8.8.8")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.0")]
    [InlineData("168.63.129.15")]
    [InlineData("169.253.255.255")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("2001:200::1")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2a00:1450:4001:830::200e")]
    public void Public(string address) => Assert.True(PublicAddress.IsPublic(IPAddress.Parse(address)), address);

    [Theory]
    [InlineData("http://127.1/")]
    [InlineData("http://127.0.1/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://0177.0.0.01/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://0/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[0:0:0:0:0:0:0:1]/")]
    [InlineData("http://[64:ff9b::7f00:1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://0xA9FEA9FE/")]
    [InlineData("http://2852039166/")]
    [InlineData("https://192.168.0.1/")]
    [InlineData("http://8.8.8.8:22/")]
    [InlineData("http://8.8.8.8:8080/")]
    [InlineData("http://user@8.8.8.8/")]
    [InlineData("http://8.8.8.8@127.0.0.1/")]
    [InlineData("ftp://8.8.8.8/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://8.8.8.8/")]
    [InlineData("data:text/html,x")]
    public void An_address_is_refused_before_any_look_up(string address)
    {
        var fault = Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? Assert.Throws<FetchException>(() => PageAddress.Require(uri, new FetchOptions())).Fault
            : FetchFault.AddressRefused;
        Assert.Equal(FetchFault.AddressRefused, fault);
    }

    [Fact]
    public void Only_the_allowed_network_is_fetched()
    {
        var options = new FetchOptions();
        options.AllowedNetworks.Add("127.0.0.1/32");
        options.AllowedPorts.Add(8080);
        PageAddress.Require(new Uri("http://127.0.0.1:8080/"), options);
        Assert.Throws<FetchException>(() => PageAddress.Require(new Uri("http://127.0.0.2:8080/"), options));
        Assert.Throws<FetchException>(() => PageAddress.Require(new Uri("http://127.0.0.1:8081/"), options));
        Assert.Throws<FetchException>(() => PageAddress.Require(new Uri("http://10.0.0.1/"), options));
    }

    [Theory]
    [InlineData("example.com", "https://www.example.com/x", true)]
    [InlineData("www.example.com", "https://www.example.com/x", true)]
    [InlineData("Example.com", "https://example.com:8080/x", true)]
    [InlineData("example", "https://example.com/", false)]
    [InlineData("A teapot", "https://example.com/", false)]
    public void A_title_may_be_nothing_but_the_host(string title, string url, bool expected) =>
        Assert.Equal(expected, Dunlin.Apps.Wishlists.WireText.IsHost(title, url));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("example.com")]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://")]
    [InlineData("http://a b/")]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("http://example.com/\u0000")]
    public void No_page(string? text) => Assert.Null(PageAddress.Parse(text));
}
