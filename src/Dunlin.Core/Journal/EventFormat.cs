namespace Dunlin.Journal;

/// <summary>What the data of an event is.</summary>
public enum EventFormat
{
    /// <summary>UTF-8 JSON.</summary>
    Json,

    /// <summary>UTF-8 text, of any number of lines.</summary>
    Text,

    /// <summary>Bytes without a form that the engine knows.</summary>
    Binary,
}
