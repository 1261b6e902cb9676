using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Dunlin.Fuzz.Http;

/// <summary>Adds to each response which request the server read: its method and target, in base64.</summary>
internal sealed class RequestEcho : IStartupFilter
{
    public const string Header = "Fuzz-Request";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                static (context, rest) =>
                {
                    var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
                    context.Response.Headers[Header] = Encode(context.Request.Method, target);
                    return rest(context);
                }
            );
            next(app);
        };

    public static string Encode(string method, string target) => Convert.ToBase64String(Encoding.Latin1.GetBytes($"{method} {target}"));

    public static string Decode(string value) => Encoding.Latin1.GetString(Convert.FromBase64String(value));
}
