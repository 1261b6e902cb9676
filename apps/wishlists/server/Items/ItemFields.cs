namespace Dunlin.Apps.Wishlists.Items;

/// <summary>The fields of an item that its owner writes.</summary>
internal static class ItemFields
{
    /// <summary>The fields of a document that a client may write.</summary>
    public static readonly string[] OfClient =
    [
        "wishlist_id",
        "title",
        "description",
        "source_url",
        "quantity",
        "price",
        "currency",
        "price_edited",
        "image_url",
        "image_edited",
        "priority",
        "order",
    ];

    /// <summary>Returns the item with the owner's values, validated.</summary>
    /// <remarks>
    /// Without <c>price_edited</c> and <c>image_edited</c> the values are the page's, and those of the client are ignored.
    /// </remarks>
    public static ItemDocument Apply(ItemDocument item, ItemDocument wanted)
    {
        var price =
            wanted.PriceEdited ? WireText.Price(wanted.Price)
            : item.PriceEdited ? null
            : item.Price;
        return item with
        {
            Description = WireText.Description(wanted.Description),
            // Allow less than the marked quantity: an error would reveal the marks to the owner.
            Quantity = WireText.Quantity(wanted.Quantity),
            Price = price,
            Currency =
                price is null ? null
                : wanted.PriceEdited ? WireText.Currency(wanted.Currency)
                : item.Currency,
            PriceEdited = wanted.PriceEdited,
            ImageUrl =
                wanted.ImageEdited ? WireText.Image(wanted.ImageUrl)
                : item.ImageEdited ? null
                : item.ImageUrl,
            ImageEdited = wanted.ImageEdited,
            Priority = WireText.Priority(wanted.Priority),
            Order = WireText.Order(wanted.Order),
        };
    }

    /// <summary>Returns the item without the data of its former page.</summary>
    public static ItemDocument WithoutPage(ItemDocument item) =>
        item with
        {
            Price = item.PriceEdited ? item.Price : null,
            Currency = item.PriceEdited ? item.Currency : null,
            ImageUrl = item.ImageEdited ? item.ImageUrl : null,
            Error = null,
            ResolvedAt = null,
            Status = ItemStatus.Manual,
        };
}
