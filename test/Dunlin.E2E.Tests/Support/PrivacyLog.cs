using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>
/// Records the requests of a browser context by the user of their session cookie, and reads what the browser has stored. Every text of a
/// user contains <c>Secret of {user}</c>.
/// </summary>
internal sealed partial class PrivacyLog
{
    // Everything that a page can store, by place. Binary values are read as Latin-1, which keeps the ASCII of the secrets.
    private const string Stored = """
        async () => {
          const places = [];
          const text = value => {
            if (typeof value === 'string') return value;
            if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return new TextDecoder('latin1').decode(value);
            if (value && typeof value === 'object') return Object.entries(value).map(([key, each]) => `${key} ${text(each)}`).join(' ');
            return String(value);
          };
          for (const name of ['localStorage', 'sessionStorage'])
            for (const key of Object.keys(window[name])) places.push({ place: `${name} ${key}`, text: window[name].getItem(key) });
          const answer = request => new Promise((done, fail) => {
            request.onsuccess = () => done(request.result);
            request.onerror = () => fail(request.error);
          });
          for (const { name } of await indexedDB.databases()) {
            const database = await answer(indexedDB.open(name));
            for (const store of database.objectStoreNames) {
              const open = () => database.transaction(store).objectStore(store);
              const [keys, values] = [await answer(open().getAllKeys()), await answer(open().getAll())];
              values.forEach((value, at) => places.push({ place: `IndexedDB ${name} ${store} ${text(keys[at])}`, text: text(value) }));
            }
            database.close();
          }
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys())
              places.push({ place: `Cache ${name} ${request.url}`, text: await (await cache.match(request)).text() });
          }
          return places.filter(({ place, text }) => place.includes('dunlin.session') || text.includes('Secret of '));
        }
        """;

    private const string Shown = """
        () => {
          const fields = [...document.querySelectorAll('input, textarea')].map(field => field.value);
          return [document.title, document.body.outerHTML, ...fields].join('\n');
        }
        """;

    // A page that left may leave an answer behind that never ends.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly IBrowserContext _context;
    private readonly string[] _users;
    private readonly Dictionary<string, string> _owners = new(StringComparer.Ordinal);
    private readonly List<Task<Exchange?>> _exchanges = [];
    private readonly List<string> _faults = [];
    private int _checked;
    private string _user = "";

    public PrivacyLog(IBrowserContext context, string[] users)
    {
        (_context, _users) = (context, users);
        context.Response += (_, response) =>
        {
            var path = new Uri(response.Url).AbsolutePath;
            if (path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/dunlin/", StringComparison.Ordinal))
                lock (_exchanges)
                    _exchanges.Add(ReadAsync(response));
        };
    }

    /// <summary>Records who is signed in now.</summary>
    public void Signed(string user) => _user = user;

    /// <summary>Checks all tabs and all exchanges since the last call.</summary>
    public async Task RequireSeparateAsync(IEnumerable<IPage> tabs)
    {
        foreach (var cookie in await _context.CookiesAsync())
            _owners.TryAdd($"{cookie.Name}={cookie.Value}", _user);
        Task<Exchange?>[] exchanges;
        lock (_exchanges)
        {
            exchanges = [.. _exchanges];
            _exchanges.Clear();
        }
        foreach (var exchange in await Task.WhenAll(exchanges))
            if (exchange is not null)
                Check(exchange);
        foreach (var tab in tabs)
            Require(Owners(await tab.EvaluateAsync<string>(Shown)).All(owner => owner == _user), $"{tab.Url} shows another user's text");
        Assert.True(_faults.Count == 0, string.Join('\n', _faults));
    }

    /// <summary>Checks that every stored text lies in a place that names its user, and that the session note names this
    /// user.</summary>
    public async Task RequireStoredSeparatelyAsync(IEnumerable<IPage> tabs)
    {
        var found = 0;
        foreach (var tab in tabs.Where(tab => tab.Url != "about:blank"))
        {
            foreach (var stored in (await tab.EvaluateAsync<JsonElement>(Stored)).EnumerateArray())
            {
                var place = stored.GetProperty("place").GetString()!;
                var text = stored.GetProperty("text").GetString()!;
                if (place == "localStorage dunlin.session")
                    Require(text.Contains($"\"userId\":\"{_user}\"", StringComparison.Ordinal), $"{place} does not name {_user}: {text}");
                foreach (var owner in Owners(text))
                {
                    found++;
                    Require(place.Contains(owner, StringComparison.Ordinal), $"{place} keeps a text of {owner} without its name");
                    Require(
                        !_users.Any(other => other != owner && place.Contains(other, StringComparison.Ordinal)),
                        $"{place} keeps a text of {owner} for somebody else"
                    );
                }
            }
        }
        Assert.True(_faults.Count == 0, string.Join('\n', _faults));
        Assert.True(found > 0, "The pages stored nothing, so nothing was checked.");
    }

    /// <summary>Checks that the test observed requests of both users.</summary>
    public void RequireTraffic() => Assert.True(_checked > 100, $"Only {_checked} requests were observed.");

    private void Check(Exchange exchange)
    {
        var (request, status, headers, body) = exchange;
        var owner = headers
            .GetValueOrDefault("cookie", "")
            .Split("; ")
            .Select(cookie => _owners.GetValueOrDefault(cookie))
            .FirstOrDefault(known => known is not null);
        if (owner is null)
            return;
        _checked++;
        var named = Uri.UnescapeDataString(headers.GetValueOrDefault("dunlin-user") ?? UserQuery().Match(request.Url).Groups[1].Value);
        var what = $"{request.Method} {request.Url} with the cookie of {owner}, named {named}, answered {status}";
        var isOther = named.Length > 0 && named != owner;
        // A page that does not know of the change yet may still send requests. The server refuses them, without data of either user.
        Require(!isOther || status is 401 or 403 or 409, what);
        var sender = named.Length > 0 ? named : owner;
        Require(Owners(request.PostData ?? "").All(each => each == sender), $"{what}: sent another user's text");
        Require(Owners(body).All(each => each == owner && !isOther), $"{what}: received another user's text");
    }

    // Null if the page has left since: then the browser keeps neither headers nor body. A stream has no end, so its body is not read.
    private static async Task<Exchange?> ReadAsync(IResponse response)
    {
        try
        {
            var headers = await response.Request.AllHeadersAsync().WaitAsync(Patience);
            var hasEnd = response.Headers.GetValueOrDefault("content-type", "").Contains("json", StringComparison.Ordinal);
            return new(response.Request, response.Status, headers, hasEnd ? await response.TextAsync().WaitAsync(Patience) : "");
        }
        catch (Exception error) when (error is PlaywrightException or TimeoutException)
        {
            return null;
        }
    }

    private void Require(bool isRight, string fault)
    {
        if (!isRight)
            _faults.Add(fault);
    }

    private static IEnumerable<string> Owners(string text) => Secret().Matches(text).Select(match => match.Groups[1].Value).Distinct();

    [GeneratedRegex("Secret of ([a-z]+) ")]
    private static partial Regex Secret();

    [GeneratedRegex("[?&]dunlin-user=([^&]*)")]
    private static partial Regex UserQuery();

    private sealed record Exchange(IRequest Request, int Status, IReadOnlyDictionary<string, string> Headers, string Body);
}
