using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Dunlin.Interleavings.Tests.Rewriting;

public sealed class RewriterTests
{
    // Waits and starts that no scenario runs.
    private static readonly string[] Allowed =
    [
        "Background.",
        "SigningKeyStore.",
        "AuthorityKeys.",
        "WebhookConsumer/",
        "SqliteBackup.",
        "SqliteStore",
    ];

    [Fact]
    public void The_engine_beside_the_tests_is_rewritten()
    {
        foreach (var name in Rewriter.Assemblies)
            Assert.Contains(References(name), static reference => reference.Called.DeclaringType.Name == "ControlPoints");
    }

    [Theory]
    [InlineData("System.Threading.Lock::EnterScope")]
    [InlineData("System.Threading.Lock::Enter")]
    [InlineData("System.Threading.Monitor::")]
    [InlineData("System.Threading.SemaphoreSlim::Release")]
    [InlineData("System.Threading.Tasks.Task::Run")]
    [InlineData("System.Threading.ThreadPool::")]
    [InlineData("System.Threading.SpinWait::SpinOnce")]
    [InlineData("System.Threading.Thread::Yield")]
    public void No_lock_wait_or_start_is_left_outside_the_control_of_a_run(string name)
    {
        var left = Rewriter
            .Assemblies.SelectMany(References)
            .Where(reference => reference.Called.FullName.Contains(name, StringComparison.Ordinal))
            .Select(static reference => reference.From)
            .Where(static from => !Allowed.Any(allowed => from.Contains(allowed, StringComparison.Ordinal)));
        Assert.Empty(left);
    }

    private static IEnumerable<(string From, MethodReference Called)> References(string name)
    {
        var module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, name + ".dll"));
        foreach (var method in module.GetTypes().SelectMany(static type => type.Methods).Where(static method => method.HasBody))
        {
            foreach (var instruction in method.Body.Instructions)
            {
                if (instruction.Operand is MethodReference called && instruction.OpCode.FlowControl == FlowControl.Call)
                    yield return ($"{method.DeclaringType.FullName}.{method.Name}", called);
            }
        }
    }
}
