using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Waits for the content of a page. A failed wait reports the actual content.</summary>
public static class Pages
{
    public static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    /// <summary>Stores a picture of the page beside the test results.</summary>
    public static Task PictureAsync(this IPage page, string name)
    {
        var folder = Environment.GetEnvironmentVariable("DUNLIN_PICTURES");
        return folder is null
            ? Task.CompletedTask
            : page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png") });
    }

    /// <summary>Collects matching requests of a page from now on.</summary>
    public static List<IRequest> Watch(this IPage page, Func<IRequest, bool> wanted)
    {
        var seen = new List<IRequest>();
        page.Request += (_, request) =>
        {
            if (!wanted(request))
                return;
            lock (seen)
                seen.Add(request);
        };
        return seen;
    }
}
