using Dunlin.Interleavings.Tests.Exploring;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Dunlin.Interleavings.Tests.Rewriting;

/// <summary>Adds scheduling points to an assembly, and replaces its locks and waits with those of <see cref="ControlPoints"/>.</summary>
/// <remarks>
/// Constructors stay as they are, because no other thread has their object yet. Fields of structs and of closures have no points: an
/// async method or a lambda that shares its locals with another thread is a limit of the method.
/// </remarks>
internal static class Rewriter
{
    private const string Marker = "Dunlin.Interleavings.Rewritten";

    /// <summary>The assemblies that the scenarios run.</summary>
    public static readonly string[] Assemblies = ["Dunlin.Core", "Dunlin.Relational", "Dunlin.Sqlite", "Dunlin.AspNetCore"];

    // Loading such a field counts as a change of it: the call that follows changes the contents.
    private static readonly string[] MutableTypes =
    [
        "System.Collections.Generic.List`1",
        "System.Collections.Generic.Dictionary`2",
        "System.Collections.Generic.HashSet`1",
        "System.Collections.Generic.Queue`1",
        "System.Collections.Generic.PriorityQueue`2",
        "System.Collections.Generic.SortedSet`1",
        "System.Collections.Generic.SortedDictionary`2",
        "System.Collections.Generic.LinkedList`1",
        "System.Collections.Concurrent.",
        "System.IO.Pipelines.",
        "System.Threading.Channels.",
        "System.Threading.Tasks.TaskCompletionSource",
    ];

    /// <summary>Rewrites an assembly in place. Does nothing if it has been rewritten already.</summary>
    public static void Rewrite(string path)
    {
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(Path.GetDirectoryName(path));
        foreach (var runtime in new[] { typeof(object), typeof(Microsoft.AspNetCore.Http.HttpContext) })
            resolver.AddSearchDirectory(Path.GetDirectoryName(runtime.Assembly.Location));
        using var assembly = AssemblyDefinition.ReadAssembly(
            new MemoryStream(File.ReadAllBytes(path)),
            new ReaderParameters { AssemblyResolver = resolver }
        );
        if (assembly.MainModule.GetType(Marker) is not null)
            return;
        assembly.MainModule.Types.Add(new TypeDefinition("Dunlin.Interleavings", "Rewritten", TypeAttributes.NotPublic));
        var points = new PointReferences(assembly.MainModule);
        foreach (var method in assembly.MainModule.GetTypes().SelectMany(static type => type.Methods))
        {
            if (method.HasBody && !method.IsConstructor)
                Rewrite(method, points);
        }
        var rewritten = Path.Combine(Path.GetDirectoryName(path)!, Path.GetRandomFileName());
        assembly.Write(rewritten);
        File.Move(rewritten, path, overwrite: true);
    }

    private static void Rewrite(MethodDefinition method, PointReferences points)
    {
        var instructions = method.Body.Instructions;
        method.Body.SimplifyMacros();
        var where = NameOf(method);
        for (var index = 0; index < instructions.Count; index++)
        {
            var instruction = instructions[index];
            if (instruction.Operand is FieldReference field)
                index += AddAccess(method, points, index, field, where);
            else if (instruction.Operand is MethodReference called && instruction.OpCode.FlowControl == FlowControl.Call)
                index += ReplaceCall(method, points, index, called, where);
        }
        method.Body.OptimizeMacros();
    }

    private static int ReplaceCall(MethodDefinition method, PointReferences points, int index, MethodReference called, string where)
    {
        var instruction = method.Body.Instructions[index];
        if (points.ReplacementFor(called) is { } replacement)
        {
            instruction.OpCode = OpCodes.Call;
            instruction.Operand = replacement;
            return Insert(method.Body, index, Instruction.Create(OpCodes.Ldstr, where), Instruction.Create(OpCodes.Call, points.At));
        }
        if (called.DeclaringType.FullName is not ("System.Threading.Interlocked" or "System.Threading.Volatile"))
            return 0;
        return Insert(
            method.Body,
            index,
            Instruction.Create(OpCodes.Ldstr, $"{called.DeclaringType.Name}.{called.Name}"),
            Instruction.Create(OpCodes.Ldstr, where),
            Instruction.Create(OpCodes.Call, points.Atomic)
        );
    }

    private static int AddAccess(MethodDefinition method, PointReferences points, int index, FieldReference field, string where)
    {
        var code = method.Body.Instructions[index].OpCode.Code;
        if (code is not (Code.Ldfld or Code.Stfld or Code.Ldflda or Code.Ldsfld or Code.Stsfld or Code.Ldsflda))
            return 0;
        if (field.DeclaringType.Resolve() is not { } owner || owner.IsValueType || !IsOfEngine(owner))
            return 0;
        var isMutable = MutableTypes.Any(type => field.FieldType.FullName.StartsWith(type, StringComparison.Ordinal));
        if (field.Resolve() is not { } definition || (definition.IsInitOnly && !isMutable && !field.FieldType.IsArray))
            return 0;
        var isAddress = code is Code.Ldflda or Code.Ldsflda;
        // The atomic operation on the address has a point of its own.
        var recordsOnly = isAddress && FeedsAtomic(method.Body.Instructions, index);
        var changes = isMutable || field.FieldType.IsArray || isAddress || code is Code.Stfld or Code.Stsfld;
        Instruction[] call =
        [
            Instruction.Create(OpCodes.Ldstr, $"{owner.Name}.{NameOf(field)}"),
            Instruction.Create(OpCodes.Ldstr, where),
            Instruction.Create(changes ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0),
            Instruction.Create(OpCodes.Call, recordsOnly ? points.Record : points.Access),
        ];
        if (code is Code.Ldsfld or Code.Stsfld or Code.Ldsflda)
            return Insert(method.Body, index, [Instruction.Create(OpCodes.Ldnull), .. call]);
        if (code != Code.Stfld)
            return Insert(method.Body, index, [Instruction.Create(OpCodes.Dup), .. call]);
        if (field.FieldType.ContainsGenericParameter)
            return Insert(method.Body, index, [Instruction.Create(OpCodes.Ldnull), .. call]);
        var value = new VariableDefinition(field.FieldType);
        method.Body.Variables.Add(value);
        return Insert(
            method.Body,
            index,
            [Instruction.Create(OpCodes.Stloc, value), Instruction.Create(OpCodes.Dup), .. call, Instruction.Create(OpCodes.Ldloc, value)]
        );
    }

    private static bool IsOfEngine(TypeDefinition owner) => !owner.Name.Contains('<') && owner.Name is not "Background" && !owner.IsEnum;

    private static bool FeedsAtomic(Mono.Collections.Generic.Collection<Instruction> instructions, int index)
    {
        for (var next = index + 1; next < Math.Min(instructions.Count, index + 24); next++)
        {
            if (instructions[next].OpCode.Code is Code.Ldflda or Code.Ldsflda)
                return false;
            if (instructions[next].Operand is MethodReference called)
            {
                if (called.DeclaringType.FullName is "System.Threading.Interlocked" or "System.Threading.Volatile")
                    return true;
                if (called.HasThis && instructions[next].OpCode != OpCodes.Newobj && next == index + 1)
                    return false;
            }
            if (instructions[next].OpCode.FlowControl is FlowControl.Branch or FlowControl.Cond_Branch or FlowControl.Return)
                return false;
        }
        return false;
    }

    /// <summary>Inserts instructions before one and its prefixes. Branches to it then reach the first of them.</summary>
    /// <returns>The number of inserted instructions.</returns>
    private static int Insert(MethodBody body, int index, params Instruction[] added)
    {
        var first = index;
        while (first > 0 && body.Instructions[first - 1].OpCode.OpCodeType == OpCodeType.Prefix)
            first--;
        // The object at the place stays the target of branches and regions, and gets the content of the first added instruction.
        var target = body.Instructions[first];
        var moved = Instruction.Create(OpCodes.Nop);
        (moved.OpCode, moved.Operand) = (target.OpCode, target.Operand);
        (target.OpCode, target.Operand) = (added[0].OpCode, added[0].Operand);
        for (var i = 1; i < added.Length; i++)
            body.Instructions.Insert(first + i, added[i]);
        body.Instructions.Insert(first + added.Length, moved);
        return added.Length;
    }

    private static string NameOf(FieldReference field) =>
        field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;

    private static string NameOf(MethodDefinition method)
    {
        var type = method.DeclaringType;
        if (!type.Name.StartsWith('<') || type.DeclaringType is null)
            return $"{type.Name}.{method.Name}";
        var end = type.Name.IndexOf('>', StringComparison.Ordinal);
        return end > 1 ? $"{type.DeclaringType.Name}.{type.Name[1..end]}" : $"{type.DeclaringType.Name}.{method.Name}";
    }
}
