using System.Text;
using System.Text.Json.Serialization;
using Dunlin.Journal;
using Dunlin.Topics;

namespace Dunlin.Core.Tests.Journal;

public sealed partial class EventDraftTests
{
    private static readonly TopicName Topic = TopicName.Parse("orders/1");

    [Fact]
    public void Data_without_a_contract_is_camel_case()
    {
        var draft = EventDraft.Of(Topic, "order.paid", new Order(7));
        Assert.Equal("{\"orderNumber\":7}", Encoding.UTF8.GetString(draft.Data.Span));
    }

    [Fact]
    public void Data_follows_the_source_generated_contract()
    {
        var draft = EventDraft.Of(Topic, "order.paid", new Order(7), AppJson.Default.Order);
        Assert.Equal("{\"order_number\":7}", Encoding.UTF8.GetString(draft.Data.Span));
    }

    internal sealed record Order(int OrderNumber);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Order))]
    private sealed partial class AppJson : JsonSerializerContext;
}
