using System.Reflection;
using Dunlin.Interleavings.Tests.Exploring;
using Mono.Cecil;

namespace Dunlin.Interleavings.Tests.Rewriting;

/// <summary>The methods of <see cref="ControlPoints"/> as references of one module.</summary>
internal sealed class PointReferences(ModuleDefinition module)
{
    private readonly Dictionary<string, MethodReference> _replacements = typeof(ControlPoints)
        .GetMethods(BindingFlags.Public | BindingFlags.Static)
        .Select(static method => (Point: method, Replaces: method.GetCustomAttribute<ReplacesAttribute>()))
        .Where(static pair => pair.Replaces is not null)
        .ToDictionary(static pair => pair.Replaces!.Method, pair => module.ImportReference(pair.Point), StringComparer.Ordinal);

    public MethodReference Access { get; } = module.ImportReference(typeof(ControlPoints).GetMethod(nameof(ControlPoints.Access)));

    public MethodReference Record { get; } = module.ImportReference(typeof(ControlPoints).GetMethod(nameof(ControlPoints.Record)));

    public MethodReference At { get; } = module.ImportReference(typeof(ControlPoints).GetMethod(nameof(ControlPoints.At)));

    public MethodReference Atomic { get; } = module.ImportReference(typeof(ControlPoints).GetMethod(nameof(ControlPoints.Atomic)));

    /// <summary>Returns the control point that replaces a method; null if the method stays.</summary>
    public MethodReference? ReplacementFor(MethodReference called)
    {
        var types = string.Join(',', called.Parameters.Select(static parameter => parameter.ParameterType.Name));
        var arity = called is GenericInstanceMethod given ? $"`{given.GenericArguments.Count}" : "";
        var name = $"{called.DeclaringType.FullName.Replace('/', '+')}.{called.Name}{arity}({types})";
        if (!_replacements.TryGetValue(name, out var replacement) || called is not GenericInstanceMethod generic)
            return replacement;
        var instance = new GenericInstanceMethod(replacement);
        foreach (var argument in generic.GenericArguments)
            instance.GenericArguments.Add(argument);
        return instance;
    }
}
