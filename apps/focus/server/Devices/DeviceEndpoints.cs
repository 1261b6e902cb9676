using Dunlin.Problems;
using Dunlin.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dunlin.Apps.Focus.Devices;

/// <summary><c>/api/devices</c>: the user's devices and their names.</summary>
internal static class DeviceEndpoints
{
    private const int MaxBody = 1024;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/devices").WithTags("Focus");
        group.MapGet("", (HttpContext http, FocusDevices devices) => devices.ListAsync(http.RequireCaller(), http.RequestAborted).AsTask());
        group.MapPut(
            "{deviceId}",
            async (HttpContext http, string deviceId, FocusDevices devices) =>
            {
                var caller = http.RequireCaller();
                var body = await RequestBody.ReadAsync<NameBody>(http, MaxBody, http.RequestAborted);
                return await devices.RenameAsync(caller, deviceId, body.Name, http.RequestAborted);
            }
        );
    }

    private sealed record NameBody(string Name);
}
