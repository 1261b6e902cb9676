namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>Names the method whose calls become calls of the marked one, with the names of its parameter types.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ReplacesAttribute(string method) : Attribute
{
    public string Method => method;
}
