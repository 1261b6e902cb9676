using System.Text.Json;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Dunlin.Fuzz.Coverage;

/// <summary>The blocks of one type: those with the numbers <c>First</c> to <c>First + Count - 1</c>.</summary>
internal sealed record TypeBlocks(string Assembly, string Type, int First, int Count);

/// <summary>Copies the engine's assemblies. In the copies, each block of instructions begins with a call of <see cref="Probes"/>.</summary>
/// <remarks>A block begins at the start of a method, at each target of a branch, after each branch, and at each handler of
/// exceptions.</remarks>
internal sealed class Instrumenter : IDisposable
{
    public const string Manifest = "fuzz-blocks.json";

    private static readonly string[] Excluded = ["Dunlin.Fuzz", "Dunlin.TestKit", "Dunlin.Inspector", "Dunlin.Apps.Load"];

    private readonly DefaultAssemblyResolver _resolver = new();
    private readonly List<TypeBlocks> _types = [];
    private int _next;

    private Instrumenter(string folder)
    {
        _resolver.AddSearchDirectory(folder);
        _resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location));
        _resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.HttpContext).Assembly.Location));
    }

    /// <summary>Copies a folder of programs and instruments the copies. Does nothing if the copies are up to date.</summary>
    public static void Prepare(string from, string to)
    {
        if (IsCurrent(from, to))
            return;
        if (Directory.Exists(to))
            Directory.Delete(to, recursive: true);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        using var instrumenter = new Instrumenter(from);
        foreach (var file in Directory.EnumerateFiles(from, "Dunlin.*.dll").Append(Path.Combine(from, "dunlin.dll")).Order())
        {
            if (File.Exists(file) && !Excluded.Contains(Path.GetFileNameWithoutExtension(file)))
                instrumenter.Instrument(file, Path.Combine(to, Path.GetFileName(file)));
        }
        File.WriteAllText(Path.Combine(to, Manifest), JsonSerializer.Serialize(instrumenter._types));
    }

    public void Dispose() => _resolver.Dispose();

    private static bool IsCurrent(string from, string to)
    {
        var manifest = Path.Combine(to, Manifest);
        return File.Exists(manifest)
            && Directory
                .EnumerateFiles(from, "*", SearchOption.AllDirectories)
                .All(file =>
                    File.GetLastWriteTimeUtc(file) <= File.GetLastWriteTimeUtc(manifest)
                    && File.Exists(Path.Combine(to, Path.GetRelativePath(from, file)))
                );
    }

    private void Instrument(string from, string to)
    {
        using var assembly = AssemblyDefinition.ReadAssembly(from, new ReaderParameters { AssemblyResolver = _resolver });
        var hit = assembly.MainModule.ImportReference(typeof(Probes).GetMethod(nameof(Probes.Hit)));
        foreach (var type in assembly.MainModule.GetTypes())
        {
            if (IsGenerated(type))
                continue;
            var first = _next;
            foreach (var method in type.Methods)
            {
                if (method.HasBody)
                    Instrument(method.Body, hit);
            }
            if (_next > first)
                _types.Add(new TypeBlocks(assembly.Name.Name, type.FullName.Replace('/', '.'), first, _next - first));
        }
        assembly.Write(to);
    }

    // Generated serializers and regular expressions are not the engine's own code. Compiler-generated closures and state machines are.
    private static bool IsGenerated(TypeDefinition type)
    {
        for (var at = type; at is not null; at = at.DeclaringType)
        {
            if (at.CustomAttributes.Any(static a => a.AttributeType.Name == "GeneratedCodeAttribute"))
                return true;
            if (at.BaseType?.Name == "JsonSerializerContext")
                return true;
        }
        return type.Namespace.StartsWith("System.", StringComparison.Ordinal)
            || type.Namespace.StartsWith("Microsoft.", StringComparison.Ordinal);
    }

    private void Instrument(MethodBody body, MethodReference hit)
    {
        body.SimplifyMacros();
        var starts = StartsOf(body);
        foreach (var start in body.Instructions.Where(starts.Contains).ToList())
        {
            // The instruction itself becomes the probe, so that branches and handlers that refer to it need no change.
            var moved = Instruction.Create(OpCodes.Nop);
            (moved.OpCode, moved.Operand) = (start.OpCode, start.Operand);
            (start.OpCode, start.Operand) = (OpCodes.Ldc_I4, (object)_next++);
            var call = Instruction.Create(OpCodes.Call, hit);
            var at = body.Instructions.IndexOf(start);
            body.Instructions.Insert(at + 1, call);
            body.Instructions.Insert(at + 2, moved);
        }
        if (_next > Probes.Capacity)
            throw new InvalidOperationException($"The assemblies have more than {Probes.Capacity} blocks. Raise Probes.Capacity.");
    }

    private static HashSet<Instruction> StartsOf(MethodBody body)
    {
        HashSet<Instruction> starts = [body.Instructions[0]];
        foreach (var instruction in body.Instructions)
        {
            if (instruction.Operand is Instruction target)
                starts.Add(target);
            else if (instruction.Operand is Instruction[] targets)
                starts.UnionWith(targets);
            var isEnd = instruction.OpCode.FlowControl is FlowControl.Cond_Branch;
            if (isEnd && instruction.Next is { } next)
                starts.Add(next);
        }
        foreach (var handler in body.ExceptionHandlers)
        {
            starts.Add(handler.HandlerStart);
            if (handler.FilterStart is { } filter)
                starts.Add(filter);
        }
        return starts;
    }
}
