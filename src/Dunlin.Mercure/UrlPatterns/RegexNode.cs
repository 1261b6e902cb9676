namespace Dunlin.Mercure.UrlPatterns;

/// <summary>A node of the syntax tree of a regular expression. Immutable.</summary>
internal abstract record RegexNode;

/// <summary>Matches a text.</summary>
internal sealed record LiteralNode(string Text) : RegexNode;

/// <summary>Matches one character of a set.</summary>
internal sealed record SetNode(CharacterSet Set) : RegexNode;

/// <summary>Matches its nodes one after the other.</summary>
internal sealed record SequenceNode(params IReadOnlyList<RegexNode> Nodes) : RegexNode;

/// <summary>Matches one of its branches.</summary>
internal sealed record AlternationNode(params IReadOnlyList<RegexNode> Branches) : RegexNode;

/// <summary>Matches a node from <paramref name="Min"/> to <paramref name="Max"/> times; null is no limit.</summary>
internal sealed record RepetitionNode(RegexNode Node, int Min, int? Max) : RegexNode;

/// <summary>Matches the empty text at the begin or at the end.</summary>
internal sealed record AnchorNode(bool IsEnd) : RegexNode;
