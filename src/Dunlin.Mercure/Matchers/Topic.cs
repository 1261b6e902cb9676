using Dunlin.Mercure.Urls;

namespace Dunlin.Mercure.Matchers;

/// <summary>One topic of an update, with its URL for patterns. Thread safe.</summary>
internal sealed class Topic(string text, WebUrl hub)
{
    private WebUrl? _url;
    private bool _isParsed;

    public string Text { get; } = text;

    /// <summary>The topic as a URL, relative ones resolved against the hub's URL; null if it is none.</summary>
    public WebUrl? Url
    {
        get
        {
            // Two threads may parse it at once; both results are equal.
            if (!Volatile.Read(ref _isParsed))
            {
                _url = WebUrl.Parse(Text, hub);
                Volatile.Write(ref _isParsed, true);
            }
            return _url;
        }
    }
}
