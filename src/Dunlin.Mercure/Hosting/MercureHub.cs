using Dunlin.Mercure.Access;
using Dunlin.Mercure.Matchers;
using Dunlin.Mercure.Subscriptions;
using Microsoft.Extensions.Options;

namespace Dunlin.Mercure;

/// <summary>What all parts of a hub share: its addresses and the kinds of its selectors. Immutable.</summary>
internal sealed class MercureHub
{
    public MercureHub(IOptions<MercureOptions> options)
    {
        Options = options.Value;
        Url = new HubUrl(Options.Url);
        Resource = Options.ResourceIdentifier is { Length: > 0 } resource ? resource : Options.Url;
        var topics = new RecentTopics(Url.Url);
        Texts = new TextKind(topics);
        Urls = new UrlKind(topics);
        var uri = new Uri(Options.Url);
        Origin = uri.GetLeftPart(UriPartial.Authority);
        Path = uri.AbsolutePath;
        MetadataPath = "/.well-known/oauth-protected-resource" + Path;
        MetadataUrl = Origin + MetadataPath;
    }

    public MercureOptions Options { get; }

    public HubUrl Url { get; }

    public string Resource { get; }

    public TextKind Texts { get; }

    public UrlKind Urls { get; }

    /// <summary>Gets the scheme, host and port of the hub's URL.</summary>
    public string Origin { get; }

    /// <summary>Gets the path of the hub's URL, which topics of subscription events begin with.</summary>
    public string Path { get; }

    public string MetadataPath { get; }

    public string MetadataUrl { get; }

    public bool Speaks(MercureDialects dialect) => Options.Dialects.HasFlag(dialect);

    /// <summary>Returns the check of private updates; null for a reader who may read none.</summary>
    public ReadCheck? CheckOf(MercureGrants grants) => grants.Subscribe.Count == 0 ? null : new ReadCheck(grants, Texts);
}
