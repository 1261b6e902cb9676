using Microsoft.Playwright;

namespace Dunlin.E2E.Tests.Support;

/// <summary>Waiting for what a page shows; every wait fails with what was there instead.</summary>
public static class Pages
{
    public static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    /// <summary>Keeps a picture of the page beside the test results, for people to look at.</summary>
    public static Task PictureAsync(this IPage page, string name)
    {
        var folder = Environment.GetEnvironmentVariable("DUNLIN_PICTURES");
        return folder is null
            ? Task.CompletedTask
            : page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png") });
    }

    /// <summary>Collects the requests of a page that a filter wants, from now on.</summary>
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
