using AiChat;
using FakeModel;

var app = ChatApplication.Build(args);
if (!ChatApplication.HasModel(app.Configuration))
{
    // No model is configured: one that answers without thinking runs in this process, on a free port of loopback.
    var model = FakeModelServer.Build("http://127.0.0.1:0", isPaced: false);
    await model.StartAsync();
    ChatApplication.UseModel(app.Configuration, model.Urls.Single());
}

await app.RunAsync();
