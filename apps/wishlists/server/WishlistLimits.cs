using System.Text.Json;

namespace Dunlin.Apps.Wishlists;

/// <summary>
/// The limits of user input, from <c>limits.json</c>. The page is built with the same file, so that both sides accept the same values.
/// </summary>
/// <param name="ListName">Largest length of a list's name, in UTF-16 code units like all lengths here.</param>
/// <param name="Title">Largest length of an item's title.</param>
/// <param name="Description">Largest length of a description of a list or an item.</param>
/// <param name="Address">Largest length of an address.</param>
/// <param name="Quantity">Largest wanted quantity.</param>
/// <param name="Price">Largest price.</param>
/// <param name="Order">Largest length of the sort key of an item.</param>
internal sealed record WishlistLimits(int ListName, int Title, int Description, int Address, int Quantity, int Price, int Order)
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true };

    public static WishlistLimits Shared { get; } = Read();

    private static WishlistLimits Read()
    {
        using var stream = typeof(WishlistLimits).Assembly.GetManifestResourceStream("limits.json")!;
        return JsonSerializer.Deserialize<WishlistLimits>(stream, Strict)!;
    }
}
